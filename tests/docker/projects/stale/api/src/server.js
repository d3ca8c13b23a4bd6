setInterval(() => console.log("api"), 60000)
