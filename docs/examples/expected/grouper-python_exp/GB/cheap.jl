{"id": 2, "title": "Ball valve 1/2\"", "brand": "Valvex", "price": 8.9, "stock": 0, "tags": ["valve"], "seller": {"name": "Pipeworks", "country": "GB"}}
{"id": 5, "title": "Sealing tape", "brand": null, "price": 1.2, "stock": 400, "tags": ["seal"], "seller": {"name": "Pipeworks", "country": "GB"}}
