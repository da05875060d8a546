{"order": 4, "placed": {"at": "2024-03-31T23:30:00-02:00"}, "total": 4}
{"order": 5, "placed": {"at": 1711929600}, "total": 1.2}
