// Copies a message as Markdown, or a block of code.
const SECONDS_SHOWN = 1.6

const sources = {
  message: (button) => button.closest(".message").querySelector("template[data-source]").content.textContent,
  code: (button) => button.closest(".code").querySelector("pre").textContent,
  value: (button) => document.getElementById(button.dataset.copyFrom).value,
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  // Without https there is no clipboard to ask; selecting and copying still works.
  const area = document.createElement("textarea")
  area.value = text
  area.className = "visually-hidden"
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

function confirm(button) {
  const use = button.querySelector("use")
  const before = use.getAttribute("href")
  document.getElementById("announcer").textContent = "Copied"
  // Copied once more: what it looked like before is on its way back already.
  if (before.endsWith("#check")) return
  use.setAttribute("href", before.replace(/#.*/, "#check"))
  setTimeout(() => use.setAttribute("href", before), SECONDS_SHOWN * 1000)
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]")
  if (!button) return
  await write(sources[button.dataset.copy](button))
  confirm(button)
})
