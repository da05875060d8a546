{"id": 5, "title": "Sealing tape", "brand": null, "price": 1.2, "stock": 400, "tags": ["seal"], "seller": {"name": "Pipeworks", "country": "GB"}}
