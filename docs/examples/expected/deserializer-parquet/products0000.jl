{"id":1,"title":"Copper pipe 15 mm","price":12.5}
{"id":2,"title":"Ball valve 1/2\"","price":8.9}
{"id":4,"title":"Siphon, chrome","price":31.0}
