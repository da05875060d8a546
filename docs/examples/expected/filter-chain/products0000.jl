{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 5, "title": "Sealing tape", "brand": null, "price": 1.2, "stock": 400, "tags": ["seal"], "seller": {"name": "Pipeworks", "country": "GB"}}
