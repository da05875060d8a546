{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
