{"id":1,"name":"Copper pipe 15 mm","brand":"Tuberia","price":12.5,"stock":40,"tags":["pipe", "copper"],"seller":{"name":"Ana's Tools","country_code":"ES"}}
{"id":2,"name":"Ball valve 1/2\"","brand":"Valvex","price":8.9,"stock":0,"tags":["valve"],"seller":{"name":"Pipeworks","country_code":"GB"}}
{"id":3,"name":"Plunger","price":4,"stock":13,"tags":[],"seller":{"name":"Ana's Tools","country_code":"ES"}}
{"id":4,"name":"Siphon, chrome","brand":"Valvex","price":31.0,"stock":5,"tags":["drain", "chrome"],"seller":{"name":"Fontanería Ñu","country_code":"MX"}}
{"id":5,"name":"Sealing tape","brand":null,"price":1.2,"stock":400,"tags":["seal"],"seller":{"name":"Pipeworks","country_code":"GB"}}
