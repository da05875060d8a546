{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
