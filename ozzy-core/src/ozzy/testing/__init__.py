"""What plugin authors test their modules with."""
