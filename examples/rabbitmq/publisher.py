#!/usr/bin/python3
"""Declares a queue that both nodes hold, and publishes to it by the first node."""
import pika

channel = pika.BlockingConnection(pika.ConnectionParameters("rabbit-1")).channel()
channel.queue_declare("numbers", durable=True, arguments={"x-queue-type": "quorum"})
channel.confirm_delivery()
for number in range(1, 201):
    channel.basic_publish("", "numbers", str(number), pika.BasicProperties(delivery_mode=2))
    if number == 100:
        channel.connection.sleep(5)  # the consumer comes meanwhile
channel.basic_publish("", "numbers", "end")
print("200 numbers confirmed by both nodes")
