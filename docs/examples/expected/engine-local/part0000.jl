{"order": 1, "placed": {"at": "2024-03-30T22:59:59Z"}, "total": 12.5}
{"order": 2, "placed": {"at": "2024-03-30T23:00:00Z"}, "total": 8.9}
{"order": 3, "placed": {"at": "2024-03-31T23:30:00+02:00"}, "total": 31.0}
{"order": 4, "placed": {"at": "2024-03-31T23:30:00-02:00"}, "total": 4}
{"order": 5, "placed": {"at": 1711929600}, "total": 1.2}
{"order": 6, "placed": {"at": null}, "total": 7}
{"id": 1, "title": "Copper pipe 15 mm", "brand": "Tuberia", "price": 12.5, "stock": 40, "tags": ["pipe", "copper"], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 3, "title": "Plunger", "price": 4, "stock": 13, "tags": [], "seller": {"name": "Ana's Tools", "country": "ES"}}
{"id": 4, "title": "Siphon, chrome", "brand": "Valvex", "price": 31.0, "stock": 5, "tags": ["drain", "chrome"], "seller": {"name": "Fontanería Ñu", "country": "MX"}}
{"id": 5, "title": "Sealing tape", "brand": null, "price": 1.2, "stock": 400, "tags": ["seal"], "seller": {"name": "Pipeworks", "country": "GB"}}
