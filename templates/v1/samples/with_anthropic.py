import os

from anthropic import Anthropic

client = Anthropic(base_url="http://127.0.0.1:8000", api_key=os.environ["PARLEY_KEY"])
message = client.messages.create(
    model="echo/echo",
    max_tokens=1000,
    messages=[{"role": "user", "content": "Good morning"}],
)
print("".join(block.text for block in message.content if block.type == "text"))
