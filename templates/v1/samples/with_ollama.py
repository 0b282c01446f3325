import os

from ollama import Client

key = os.environ["PARLEY_KEY"]
client = Client(host="http://127.0.0.1:8000/ollama", headers={"Authorization": f"Bearer {key}"})
answer = client.chat("echo/echo", messages=[{"role": "user", "content": "Good morning"}])
print(answer.message.content)
