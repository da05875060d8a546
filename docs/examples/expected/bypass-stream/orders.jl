{"order": 1, "placed": {"at": "2024-03-30T22:59:59Z"}, "total": 12.5}
{"order": 2, "placed": {"at": "2024-03-30T23:00:00Z"}, "total": 8.9}
{"order": 3, "placed": {"at": "2024-03-31T23:30:00+02:00"}, "total": 31.0}
{"order": 4, "placed": {"at": "2024-03-31T23:30:00-02:00"}, "total": 4}
{"order": 5, "placed": {"at": 1711929600}, "total": 1.2}
{"order": 6, "placed": {"at": null}, "total": 7}
