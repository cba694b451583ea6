"""Messages of customs in XML."""
