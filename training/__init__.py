"""How the bundled encoder was made. Not imported by the service."""
