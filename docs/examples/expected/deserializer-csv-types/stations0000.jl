{"id":"N-01","name":"Øvre Kajen","depth":12.5,"active":true,"opened":"1998-05-04"}
{"id":"N-02","name":"Weir; lock","depth":3.0,"active":false,"opened":null}
{"id":"S-07","name":"Point Sable","depth":null,"active":true,"opened":"2020-02-29"}
