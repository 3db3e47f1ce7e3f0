!yes flood
