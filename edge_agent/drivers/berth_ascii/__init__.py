"""Driver of berth cabinets and tide gauges that send lines of text."""
