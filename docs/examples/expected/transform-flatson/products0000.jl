{"title":"Copper pipe 15 mm","seller.country":"ES","seller.name":"Ana's Tools","tags":"pipe copper","brand":"Tuberia"}
{"title":"Ball valve 1/2\"","seller.country":"GB","seller.name":"Pipeworks","tags":"valve","brand":"Valvex"}
{"title":"Plunger","seller.country":"ES","seller.name":"Ana's Tools","tags":"","brand":null}
{"title":"Siphon, chrome","seller.country":"MX","seller.name":"Fontanería Ñu","tags":"drain chrome","brand":"Valvex"}
{"title":"Sealing tape","seller.country":"GB","seller.name":"Pipeworks","tags":"seal","brand":null}
