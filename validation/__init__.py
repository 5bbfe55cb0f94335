"""What mcgen claims, measured."""
