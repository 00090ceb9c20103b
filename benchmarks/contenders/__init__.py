"""What is compared: each contender runs in a process of its own and tells what it took, as a line of JSON."""
