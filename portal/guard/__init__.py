"""The secret guard's pure half: bytes and a name in, credentials and their places out. Its scanner knows no Django."""
