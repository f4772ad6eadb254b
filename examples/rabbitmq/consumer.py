#!/usr/bin/python3
"""Consumes by the second node what was published by the first."""
import pika

channel = pika.BlockingConnection(pika.ConnectionParameters("rabbit-2")).channel()
numbers = []
for method, _, body in channel.consume("numbers"):
    channel.basic_ack(method.delivery_tag)
    if body == b"end":
        break
    numbers.append(int(body))
print(f"{len(numbers)} numbers, in order: {numbers == list(range(1, 201))}, sum {sum(numbers)}")
channel.connection.close()
