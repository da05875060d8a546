{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 2, "title": "Ball valve 1/2\"", "brand": "Valvex", "price": 8.9, "stock": 0, "tags": ["valve"], "seller": {"name": "Pipeworks", "country": "GB"}}
{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
