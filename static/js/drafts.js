// What is in the box is kept in this browser, for each conversation, until it was sent: through reloads and log-outs.
const PREFIX = "draft:"

const keyOf = (form) => PREFIX + form.dataset.draft

function restore(form) {
  const draft = localStorage.getItem(keyOf(form))
  const box = form.elements.body
  if (!draft || box.value) return
  box.value = draft
  box.dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-composer]")
  if (!form || event.target.name !== "body") return
  if (event.target.value) localStorage.setItem(keyOf(form), event.target.value)
  else localStorage.removeItem(keyOf(form))
})

document.querySelectorAll("[data-composer]").forEach(restore)
