"""The judge's client of the workers: sessions, connections, handles, recordings, and the zygote's client."""
