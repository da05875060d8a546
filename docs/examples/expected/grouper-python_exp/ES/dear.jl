{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
