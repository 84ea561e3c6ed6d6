"""What the gateway offers on itself over HTTP on the loopback interface: status and Prometheus metrics."""
