// Every block of code gets its buttons: wrap and copy.
const tools = document.getElementById("code-tools")

function equip(root) {
  for (const bar of root.querySelectorAll(".code__bar:not(:has(button))")) bar.append(tools.content.cloneNode(true))
}

if (tools) {
  equip(document)
  document.addEventListener("htmx:after:settle", (event) => {
    for (const node of event.detail.newContent) if (node.querySelectorAll) equip(node.parentNode ?? node)
  })
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-wrap]")
  if (!button) return
  const wrapped = button.closest(".code").classList.toggle("code--wrapped")
  button.setAttribute("aria-pressed", String(wrapped))
})
