// A title being changed: typing replaces it, and Escape leaves it as it was.
const FIELD = "#chat-title input[name='title']"

document.addEventListener("focusin", (event) => {
  if (event.target.matches(FIELD)) event.target.select()
})

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || !event.target.matches(FIELD)) return
  event.target.value = event.target.defaultValue
  event.target.form.requestSubmit()
})
