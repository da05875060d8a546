{"id": 1, "title": "Copper pipe 15 mm"}
{"id": 2, "title": "Plunger"}
