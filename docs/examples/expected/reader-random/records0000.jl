{"key":0,"country_code":"es","state":"Đà Nẵng","city":{"name":"Redhill","district":"Harbour"},"value":6284}
{"key":1,"country_code":"uk","state":"Østfold","city":{"name":"Redhill","district":"Riverside"},"value":576}
{"key":2,"country_code":"uk","state":"Đà Nẵng","city":{"name":"Oakfield","district":"Market"},"value":7632}
