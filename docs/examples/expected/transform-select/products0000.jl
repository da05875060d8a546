{"title":"Copper pipe 15 mm","seller":{"name":"Ana's Tools"},"id":1}
{"title":"Ball valve 1/2\"","seller":{"name":"Pipeworks"},"id":2}
{"title":"Plunger","seller":{"name":"Ana's Tools"},"id":3}
{"title":"Siphon, chrome","seller":{"name":"Fontanería Ñu"},"id":4}
{"title":"Sealing tape","seller":{"name":"Pipeworks"},"id":5}
