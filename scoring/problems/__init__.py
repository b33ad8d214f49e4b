"""The closed loop of problems: collect, assign, coordinate, supervise, evaluate and close."""
