"""What goes in and out, resource by resource."""
