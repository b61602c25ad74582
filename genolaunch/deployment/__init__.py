"""What an engineer asks before a stage is deployed or destroyed."""
