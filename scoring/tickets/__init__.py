"""The closed loop of tickets: collect, assign, coordinate, supervise, evaluate and close."""
