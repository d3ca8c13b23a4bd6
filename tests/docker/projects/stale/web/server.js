setInterval(() => console.log(process.env.GREETING), 60000)
