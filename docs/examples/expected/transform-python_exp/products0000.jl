{"id":1,"title":"Copper pipe 15 mm","brand":"Tuberia","price":12.5,"tags":["copper","pipe"],"seller":{"name":"Ana's Tools","country":"ES"},"gross":15.12}
{"id":2,"title":"Ball valve 1/2\"","brand":"Valvex","price":8.9,"tags":["valve"],"seller":{"name":"Pipeworks","country":"GB"},"gross":10.77}
{"id":3,"title":"Plunger","price":4,"tags":[],"seller":{"name":"Ana's Tools","country":"ES"},"gross":4.84}
{"id":4,"title":"Siphon, chrome","brand":"Valvex","price":31.0,"tags":["chrome","drain"],"seller":{"name":"Fontanería Ñu","country":"MX"},"gross":37.51}
{"id":5,"title":"Sealing tape","brand":null,"price":1.2,"tags":["seal"],"seller":{"name":"Pipeworks","country":"GB"},"gross":1.45}
