{"order": 1, "placed": {"at": "2024-03-30T22:59:59Z"}, "total": 12.5}
