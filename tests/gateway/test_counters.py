import threading

from gateway.counters import MAX_NAMES, Counters


def test_threads_lose_no_count() -> None:
    counters = Counters()

    def count() -> None:
        for _ in range(2000):
            counters.add("x")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.total("x") == 8000


def test_names_are_bounded() -> None:
    counters = Counters()
    for number in range(MAX_NAMES + 10):
        counters.add(f"n{number}")
    assert counters.total("other") == 10
    assert len(counters.snapshot()) == MAX_NAMES + 1
