{"id":9007199254740993,"placed":"31/12/2026 18:30","paid":"yes","total":"37.50","customer":{"name": "Ana Ñu", "email": "ana@example.com", "phone": "+34 600 100 200"},"lines":{"sku": "P-15", "count": "2"},"line":0}
{"id":9007199254740993,"placed":"31/12/2026 18:30","paid":"yes","total":"37.50","customer":{"name": "Ana Ñu", "email": "ana@example.com", "phone": "+34 600 100 200"},"lines":{"sku": "T-1", "count": "10"},"line":1}
{"id":9007199254740994,"placed":"01/01/2027 09:05","paid":"no","total":"8.9","customer":{"name": "Bo", "email": "bo@example.com", "phone": null},"lines":{"sku": "V-2", "count": "1"},"line":0}
{"id":9007199254740995,"placed":"02/01/2027 11:00","paid":"yes","total":"0","customer":{"name": "Ana Ñu", "email": "ana@example.com"},"lines":null,"line":null}
