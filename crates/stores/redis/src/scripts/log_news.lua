return news()
