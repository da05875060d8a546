{"id":1,"title":"Copper pipe 15 mm","brand":"Tuberia","price":12.5,"stock":40,"tags_0":"pipe","tags_1":"copper","seller_name":"Ana's Tools","seller_country":"ES"}
{"id":2,"title":"Ball valve 1/2\"","brand":"Valvex","price":8.9,"stock":0,"tags_0":"valve","seller_name":"Pipeworks","seller_country":"GB"}
{"id":3,"title":"Plunger","price":4,"stock":13,"tags":[],"seller_name":"Ana's Tools","seller_country":"ES"}
{"id":4,"title":"Siphon, chrome","brand":"Valvex","price":31.0,"stock":5,"tags_0":"drain","tags_1":"chrome","seller_name":"Fontanería Ñu","seller_country":"MX"}
{"id":5,"title":"Sealing tape","brand":null,"price":1.2,"stock":400,"tags_0":"seal","seller_name":"Pipeworks","seller_country":"GB"}
