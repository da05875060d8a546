{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
