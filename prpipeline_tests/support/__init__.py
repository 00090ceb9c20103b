"""What several tests work with: worlds, servers, shells, browsers."""
