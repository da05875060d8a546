{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 2, "title": "Ball valve 1/2\"", "brand": "Valvex", "price": 8.9, "stock": 0, "tags": ["valve"], "seller": {"name": "Pipeworks", "country": "GB"}}
{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
{"id": 5, "title": "Sealing tape", "brand": null, "price": 1.2, "stock": 400, "tags": ["seal"], "seller": {"name": "Pipeworks", "country": "GB"}}
