{"id":"1","title":"Copper pipe 15 mm","price":"12.5"}
{"id":"2","title":"Ball valve 1/2\"","price":"8.9"}
{"id":"3","title":"Plunger","price":"4"}
