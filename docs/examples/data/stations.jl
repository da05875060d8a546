{"id": "N-01", "name": "Øvre Kajen", "opened": "1998-05-04", "depth": 12.5, "active": true, "tags": ["tide", "wind"]}
{"id": "N-02", "name": "Weir & Lock", "opened": "2011-11-30", "depth": 3, "active": false, "note": "=closed since March"}
{"id": "S-07", "name": "Point \"Sable\"", "depth": null, "active": true, "keeper": {"name": "Ines", "since": 2019}}
