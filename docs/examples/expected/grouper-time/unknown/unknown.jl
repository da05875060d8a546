{"order": 6, "placed": {"at": null}, "total": 7}
