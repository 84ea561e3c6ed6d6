"""Names of fixed sensors."""

from cloud_api.sensor_names import sensor_key
from contracts.payloads import Transducer, Weather


def test_transducers_of_one_place_stay_apart() -> None:
    assert sensor_key("transducer", Transducer(name="ENGINE#1", quantity="temperature")) == "transducer.engine-1"
    assert sensor_key("transducer", Transducer(name="", quantity="generic")) == "transducer.-"
    assert sensor_key("transducer", Transducer(name="ñ/" * 40, quantity="generic")) == "transducer." + "-" * 40
    assert sensor_key("weather", Weather()) == "weather"
