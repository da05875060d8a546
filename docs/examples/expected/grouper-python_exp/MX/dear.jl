{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
