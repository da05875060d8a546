{"id":1,"title":"Copper pipe 15 mm","worth":500,"country":"ES"}
{"id":3,"title":"Plunger","worth":52,"country":"ES"}
{"id":4,"title":"Siphon, chrome","worth":155,"country":"MX"}
{"id":5,"title":"Sealing tape","worth":480,"country":"GB"}
